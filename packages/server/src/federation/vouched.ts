/** What a provider vouches for, however it said so; and how an answer is refused. */
import { type ErrorCode, fail } from '@kalnet/contracts/errors'

export interface Vouched {
  issuer: string
  subject: string
  /** How the account is called there. */
  account: string
  name: string | null
  email: string | null
  groups: string[]
  /** `acr` and `amr`, or the authentication context. */
  contexts: string[]
  /** The provider's name for the session there. */
  sid: string | null
  /** When the person proved there who it is. ms since 1970. */
  provedAt: number | null
  /** For asking again and for signing out there; never in a log, sealed at rest. */
  tokens: { refresh: string | null; idToken: string } | null
}

/** Not to be trusted. The reason is ours, for log and audit: nothing of what came is in it. */
export const refuse = (reason: string, code: ErrorCode = 'provider.answer') =>
  fail(code, {}, new Error(reason))

export const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error
    ? error.cause.message.slice(0, 200)
    : 'not understood'

/** Text for a name here: short, on one line, without what cannot be stored. */
export const tidyText = (text: string | null | undefined, most: number): string | null => {
  const clean = (text ?? '')
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, most)
    .trim()
  return clean !== '' && clean.isWellFormed() ? clean : null
}
const EMAIL = /^[^\s@<>"]{1,64}@[^\s@<>"]{1,189}$/
export const tidyEmail = (text: unknown): string | null => {
  const clean = typeof text === 'string' ? text.trim().toLowerCase() : ''
  return EMAIL.test(clean) ? clean : null
}
