/* What the files of the model share. */
#ifndef TESTS_PROVISIONER_WORLD_STORE_H
#define TESTS_PROVISIONER_WORLD_STORE_H

#include "world.h"

struct xenstore {
    struct world *w;
    int fd;
};

#endif
