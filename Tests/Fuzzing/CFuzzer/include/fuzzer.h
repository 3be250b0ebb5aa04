#pragma once
#include <stddef.h>
#include <stdint.h>

// Of libFuzzer (compiler-rt, FuzzerDriver.cpp): runs a target as the words of the command line say.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));
