/* The regions that Contentstack runs in, and the host that delivers content in each (D, R). */
#ifndef CONTENTFS_DELIVERY_REGION_H
#define CONTENTFS_DELIVERY_REGION_H

/* "https://…" of a region (na, eu, au, azure-na, azure-eu, gcp-na, gcp-eu, or one of the vendor's other spellings of
 * these), or NULL if there is no such region. The string is static. */
const char *region_host(const char *region);

/* All regions in one line, for messages: "na, eu, …". Static. */
const char *region_names(void);

#endif
