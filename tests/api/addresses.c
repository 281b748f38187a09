/* Which addresses a webhook may lead to. */
#include "api/sender/address.h"
#include "tests/api/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool allowed(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_allowed((struct sockaddr *)&in);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
        tap_bail("%s", text);
    return address_allowed((struct sockaddr *)&in6);
}

int main(void)
{
    static const char *const good[] = { "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                                        "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
                                        "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0",
                                        "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111",
                                        "2a00:1450:4001::1", "2001:200::1", "2003::1", NULL };
    static const char *const bad[] = { "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
                                       "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
                                       "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
                                       "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
                                       "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
                                       "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1",
                                       "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
                                       "3fff::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
                                       "5f00::1", NULL };
    struct sockaddr_un local = { .sun_family = AF_UNIX };

    for (int i = 0; good[i]; i++)
        ok(allowed(good[i]), "%s is anybody's to call", good[i]);
    for (int i = 0; bad[i]; i++)
        ok(!allowed(bad[i]), "%s is not", bad[i]);
    ok(!address_allowed((struct sockaddr *)&local), "nor what is no address of the internet");
    return tap_end();
}
