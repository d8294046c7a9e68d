/** Refusals of the protocol: each with the name RFC 7644 gives it, in words for whoever set the directory up. */
import { fail, KalnetError } from '@kalnet/contracts/errors'
import { type ScimType, scimType } from '@kalnet/contracts/scim'

export const refused = (name: ScimType, problem: string) => fail('scim.invalid', { scimType: name, problem })
export const taken = (problem: string) => fail('scim.conflict', { scimType: 'uniqueness', problem })
export const unknownThing = (kind: string) => fail('thing.unknown', { kind })

/** What the library throws, as one of ours. */
export function fromLibrary(error: unknown): unknown {
  if (error instanceof KalnetError || !(error instanceof Error)) return error
  const named = scimType.safeParse('scimType' in error ? error.scimType : undefined)
  if (named.success) return refused(named.data, error.message)
  if ('status' in error && Number(error.status) === 400) return refused('invalidValue', error.message)
  // Its checks of values are plain type errors.
  return error instanceof TypeError ? refused('invalidValue', error.message) : error
}
