// node vercel.mjs <server>: asks with the Vercel AI SDK and prints the reply, why it ended and what it used.
import { createOpenAI } from "@ai-sdk/openai";
import { streamText } from "ai";

const openai = createOpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "any" });
const result = streamText({ model: openai.chat("gpt-4o"), system: "Be brief.", prompt: "Hello", maxRetries: 0 });
let text = "";
for await (const piece of result.textStream) text += piece;
console.log(JSON.stringify([text, await result.finishReason, (await result.usage).totalTokens]));
