/** How much flows: shared by the source that sends and the viewers that count. */
export const BYTES_PER_SECOND = 1_000_000
/** What answers a key: an update with one small raw rectangle. */
export const ECHO_BYTES = 4 + 12 + 16 * 16 * 4
