#include "util/digest.h"

#include <sha2.h>
#include <stdint.h>

void digest_hex(struct slice bytes, char *hex, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;
	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)bytes.at, bytes.len);
	SHA256Final(digest, &context);
	for (size_t i = 0; i < len / 2 && i < sizeof(digest); i++) {
		*hex++ = digits[digest[i] >> 4];
		*hex++ = digits[digest[i] & 0xf];
	}
}
