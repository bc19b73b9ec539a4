/* digits_data.S - the file as it is */
    .section .rodata.digits_test, "a"
    .balign 4
    .global digits_test
digits_test:
    .incbin DIGITS_TEST
    .global digits_test_end
digits_test_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
