"""The browser's recorder: an extension, and what it talks to (native messaging)."""
