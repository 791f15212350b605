/* When the seed of a listing in parts begins: a service of so many events is asked until a seed is found, or none is. */
#include "sync/seed.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 10 /* items on one */
#define DATE INT64_C(1767225600000)
#define DAY INT64_C(86400000)

struct service {
	const char *name;
	int64_t oldest, newest; /* between them the events are spread evenly */
	int64_t events;
	bool newest_first;
	bool uncounted; /* does not say how many items a seed has */
	int64_t tries_max;
	enum seed_verdict want;
	int64_t most_tries;
};

static const struct service services[] = {
	{"a quiet one", DATE - 40 * DAY, DATE - 20 * DAY, 5000, true, false, 32, SEED_TAKEN, 1},
	{"one that was busy a moment ago", DATE - DAY, DATE - 1, 5000, true, false, 32, SEED_TAKEN, 1},
	{"a busy one", DATE - 600000, DATE, 5000, true, false, 32, SEED_TAKEN, 3},
	{"a busy one that counts nothing", DATE - 600000, DATE, 5000, true, true, 32, SEED_NONE, 3},
	{"one that was filled at once, a while ago", DATE - 8000, DATE - 7000, 5000, true, true, 32, SEED_TAKEN, 16},
	{"one whose events are years behind its clock", DATE - 900 * DAY, DATE - 800 * DAY, 5000, true, false, 32,
	 SEED_TAKEN, 1},
	{"one whose events are ahead of its clock", DATE + DAY, DATE + 2 * DAY, 5000, true, false, 32, SEED_NONE, 3},
	{"one that comes oldest first", DATE - 40 * DAY, DATE - 20 * DAY, 5000, false, false, 32, SEED_TAKEN, 12},
	{"the same, years behind its clock", DATE - 900 * DAY, DATE - 899 * DAY, 5000, false, false, 32, SEED_TAKEN,
	 20},
	{"the same with few tries", DATE - 900 * DAY, DATE - 899 * DAY, 5000, false, false, 3, SEED_NONE, 3},
	{"one with the same time everywhere", DATE - DAY, DATE - DAY, 5000, true, false, 32, SEED_NONE, 32},
};

static int64_t time_of(const struct service *service, int64_t event)
{
	return service->oldest + (service->newest - service->oldest) * event / (service->events - 1);
}

/* The first page of what comes after `from`. */
static void list(const struct service *service, int64_t from, struct item items[PAGE], struct page *page)
{
	int64_t first = 0;
	while (first < service->events && time_of(service, first) <= from)
		first++;
	int64_t count = service->events - first;
	*page = (struct page){.items = items, .total = service->uncounted ? -1 : count, .more = count > PAGE};
	for (int64_t i = 0; i < count && i < PAGE; i++) {
		int64_t event = service->newest_first ? service->events - 1 - i : first + i;
		items[page->count++] = (struct item){.event_at = time_of(service, event)};
	}
}

static void test_services(void)
{
	for (size_t i = 0; i < COUNT(services); i++) {
		const struct service *service = &services[i];
		struct item items[PAGE];
		struct page page;
		struct seed seed;
		enum seed_verdict verdict;
		list(service, INT64_MIN, items, &page);
		page.total = service->events;
		seed_begin(&seed, &page, DATE, service->tries_max);
		do {
			list(service, seed.at, items, &page);
			verdict = seed_look(&seed, &page);
		} while (verdict == SEED_AGAIN);
		is_int(verdict, service->want, "%s: what comes of it", service->name);
		ok(seed.tries <= service->most_tries, "%s: after %d tries", service->name, (int)seed.tries);
		ok(verdict != SEED_TAKEN || seed.at < service->newest, "%s: later events come after it", service->name);
	}
}

int main(void)
{
	test_services();
	return tap_done();
}
