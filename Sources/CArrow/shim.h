// Nothing to declare: this module only carries the flags of millrace-arrow.pc into the C++ target ArrowBridge.
