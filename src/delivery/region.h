/* The regions that Contentstack runs in, and the host that delivers content in each (D, R). */
#ifndef CONTENTFS_DELIVERY_REGION_H
#define CONTENTFS_DELIVERY_REGION_H

/* "https://…" of a region (na, eu, au, azure-na, azure-eu, gcp-na, gcp-eu, or one of the vendor's other spellings of
 * these), or NULL if there is no such region. The string is static. */
const char *region_host(const char *region);

/* The hosts that deliver assets beside a region's own (D, R), as region_host has it: "https://…", two of them, behind which
 * stands a NULL. All NULL if it is no region's. Written into `hosts`, which they point into. */
#define REGION_ASSET_HOSTS 2

struct region_asset_hosts {
	char text[REGION_ASSET_HOSTS][64];
	const char *url[REGION_ASSET_HOSTS + 1];
};

void region_asset_hosts(const char *host, struct region_asset_hosts *hosts);

/* All regions in one line, for messages: "na, eu, …". Static. */
const char *region_names(void);

#endif
