#include "hv/arch/percpu.h"

struct percpu percpu[CPUS_MAX];
unsigned cpus_online;

unsigned cpu_id(void)
{
    return this_cpu()->id;
}
