/* libmicrohttpd and nothing else, as api/http.c starts it: one epoll thread, TLS, an answer that is ready in memory.
 *
 *     bare-http PORT CERTIFICATE KEY BODY        serves until its standard input ends */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *body, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *bytes, size_t *size, void **context)
{
    struct MHD_Response *response;
    enum MHD_Result rc;

    (void)url, (void)method, (void)version, (void)bytes, (void)size;
    if (!*context) {
        *context = body;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    rc = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}

static char *text_of(const char *path)
{
    static char texts[2][65536];
    static int used;
    FILE *file = fopen(path, "re");

    if (!file || fread(texts[used], 1, sizeof(texts[0]) - 1, file) == 0)
        exit(1);
    fclose(file);
    return texts[used++];
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *daemon;
    char end;

    if (argc != 5)
        return 2;
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, (uint16_t)atoi(argv[1]), NULL, NULL, answer,
                              argv[4], MHD_OPTION_HTTPS_MEM_CERT, text_of(argv[2]), MHD_OPTION_HTTPS_MEM_KEY,
                              text_of(argv[3]), MHD_OPTION_END);
    if (!daemon)
        return 1;
    while (read(0, &end, 1) > 0)
        ;
    MHD_stop_daemon(daemon);
    return 0;
}
