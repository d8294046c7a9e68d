/** Passkeys in the browser. Load lazily: most visits need none. */
import type { Assertion, NewCredential } from '@kalnet/contracts/passkey'
import { startAuthentication, startRegistration, WebAuthnAbortService } from '@simplewebauthn/browser'
import { ApiProblem } from '../api.ts'
import * as m from '../messages/index.ts'

type Options = { challenge: string; [name: string]: unknown }
type RequestOptions = Parameters<typeof startAuthentication>[0]['optionsJSON']
type CreationOptions = Parameters<typeof startRegistration>[0]['optionsJSON']

/** Declined, waited too long, or none on this device: browsers tell these apart to nobody. */
const DECLINED = new Set(['NotAllowedError', 'AbortError'])
const nameOf = (problem: unknown) => (problem instanceof Error ? problem.name : '')

/** Null when the person declined, or when another question took its place. */
async function unlessDeclined<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (problem) {
    if (DECLINED.has(nameOf(problem))) return null
    if (nameOf(problem) === 'InvalidStateError')
      throw inWords(m.passkeyThere, m.passkeyThereNext, 'passkey.there')
    throw inWords(m.passkeyBroken, m.passkeyBrokenNext, 'passkey.browser')
  }
}
const inWords = (message: string, next: string, code: string) =>
  new ApiProblem({ code, message, next, status: 0, requestId: '' })

/** With `autofill` the browser offers passkeys among what it fills into the e-mail field, and waits. */
export const askPasskey = (options: Options, autofill = false): Promise<Assertion | null> =>
  unlessDeclined(async () => {
    const shown = await startAuthentication({
      optionsJSON: options as RequestOptions,
      useBrowserAutofill: autofill,
    })
    return { ...shown, clientExtensionResults: {} }
  })
export const makePasskey = (options: Options): Promise<NewCredential | null> =>
  unlessDeclined(async () => {
    const made = await startRegistration({ optionsJSON: options as unknown as CreationOptions })
    const { attestationObject, clientDataJSON, transports } = made.response
    return {
      ...made,
      clientExtensionResults: {},
      response: { attestationObject, clientDataJSON, transports },
    }
  })
/** Takes a waiting question back. */
export const forgetQuestion = () => WebAuthnAbortService.cancelCeremony()
