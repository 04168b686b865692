// The package is an older kind of module: React Native's bundler takes its `default` for what `import` gives.
import older from "react-native-sse";

export default older.default;
