/** The names of an order and the texts of a brought certificate, as they are written in their fields. */
import type { ChallengeKind } from '@kalnet/contracts/certificate'
import * as m from '../messages/index.ts'

const NAME = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/

export const namesOf = (text: string): string[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(/[\s,;]+/)
      .filter(Boolean),
  ),
]
export function namesProblem(text: string, challenge: ChallengeKind): string | undefined {
  const names = namesOf(text)
  if (names.length === 0 || names.length > 50 || !names.every((name) => NAME.test(name)))
    return m.orderNamesWrong
  return challenge === 'http-01' && names.some((name) => name.startsWith('*.')) ? m.orderStar : undefined
}

export const certificateProblem = (text: string) =>
  /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(text)
    ? undefined
    : m.importCertificateWrong
export const keyProblem = (text: string) =>
  /-----BEGIN (RSA |EC )?PRIVATE KEY-----[\s\S]+-----END (RSA |EC )?PRIVATE KEY-----/.test(text)
    ? undefined
    : m.importKeyWrong
