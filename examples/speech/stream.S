/* stream.S - the stream's file as it is, or its first STREAM_BYTES */
    .section .rodata.speech_stream, "a"
    .balign 4
    .global speech_stream
speech_stream:
    .incbin STREAM, 0, STREAM_BYTES
    .global speech_stream_end
speech_stream_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
