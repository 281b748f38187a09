/* See asset.h. The file is found through the assembler's -I. */
        .section .rodata
        .global asset_openapi, asset_openapi_end
asset_openapi:
        .incbin "api/openapi.yaml"
asset_openapi_end:
        .byte 0
        .section .note.GNU-stack,"",@progbits
