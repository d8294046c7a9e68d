/** What a machine says, as the database takes it: PostgreSQL refuses zero bytes and halves of letters, and programs print both. */
const REFUSED = /\p{Surrogate}|\0/gu

/** The same with such letters replaced; only plain data, as it came in a message. */
export const storable = <T>(message: T): T =>
  JSON.parse(
    JSON.stringify(message, (_key, value: unknown) =>
      typeof value === 'string' ? value.replace(REFUSED, '\ufffd') : value,
    ),
  ) as T
