"""The law as functions: one file a chapter, in its order. Importing a file registers its rules."""
