/** Most runs, sectors, sections and symbols that a report lists, each. */
export const mostListed = 10_000;
/** Most bytes of each image that are read at a time. */
export const mostPageBytes = 64 * 1024;
