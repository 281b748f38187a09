/* The contract inside the program: what it serves at /openapi.yaml cannot
 * differ from the code it was built with. */
#ifndef API_ASSET_H
#define API_ASSET_H

extern const char asset_openapi[];
extern const char asset_openapi_end[];

#endif
