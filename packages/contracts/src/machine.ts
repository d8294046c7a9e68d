/** State machines as tables: state × event → state. What is not in the table does not happen. */
export type Table<S extends string, E extends string> = Record<S, Partial<Record<E, S>>>

/** The next state, or null when the event means nothing in this state. */
export const next = <S extends string, E extends string>(table: Table<S, E>, state: S, event: E): S | null =>
  table[state][event] ?? null
