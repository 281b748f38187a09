#include "hv/arch/percpu.h"

struct percpu percpu[CPUS_MAX];
unsigned cpus_online;
