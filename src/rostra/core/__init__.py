"""The shared words: pure values and decisions that every process agrees on."""
