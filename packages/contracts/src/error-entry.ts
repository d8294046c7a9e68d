/** One line of the error table: HTTP status, sentence for people, and what to do next. */

export interface ErrorEntry {
  status: number
  /** For people. `{name}` is filled from the details. */
  message: string
  /** What to do next, for people. */
  next: string
}

export const entry = (status: number, message: string, next: string): ErrorEntry => ({
  status,
  message,
  next,
})
