/* What every device of this class has; verify/examples/bootloader-rust has the same. */
    .section .rodata.identity, "a"
    .global identity_trust, identity_trust_end, identity_vendor, identity_class
identity_trust:
    .incbin "trust.record"
identity_trust_end:
identity_vendor:
    .incbin "vendor.uuid"
identity_class:
    .incbin "class.uuid"
