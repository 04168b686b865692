"""Is everything well? Each module looks at one thing, and tells what it found and how to mend it."""
