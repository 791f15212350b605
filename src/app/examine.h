/* The checks of the doctor. Each adds one finding or more; none changes anything. Private to app/doctor*.c. */
#ifndef CONTENTFS_APP_EXAMINE_H
#define CONTENTFS_APP_EXAMINE_H

#include "app/findings.h"
#include "config/config.h"

/* doctor_machine.c: what mounting needs of this machine, and mounts whose program is gone or does not answer. */
void examine_fuse(struct findings *findings, const struct config *config);
void examine_mounts(struct findings *findings);
void examine_mount(struct findings *findings, const char *mountpoint); /* one of them */

/* doctor_places.c: who may read and write what, and how much room there is. */
void examine_token(struct findings *findings, const struct config *config, bool mounted);
void examine_places(struct findings *findings, const struct config *config);

/* doctor_store.c: whose the store is, whether it is sound, and what became of the last sync. */
void examine_store(struct findings *findings, const struct config *config);

/* doctor_service.c: whether the service is there, takes the settings, and has our time. Asks for one page. */
void examine_service(struct findings *findings, const struct config *config);

#endif
