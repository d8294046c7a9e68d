/** How large what is kept of a session is, and where, in words; what is not known is said so. */
import type { HomesThere } from '@kalnet/contracts/kept'
import type { KeptHome, Session } from '@kalnet/contracts/session'
import { size } from '../format.ts'
import * as m from '../messages/index.ts'

export function keptWords({ home, controllerName }: Pick<Session, 'home' | 'controllerName'>): string {
  const where = controllerName ?? m.keptNotKnown
  if (!home || home.measuredAt === null) return m.keptUnmeasured(where)
  if (home.bytes !== null) return m.keptOn(size(home.bytes), where)
  return home.reservedBytes === null ? m.keptUnknown(where) : m.keptReserved(size(home.reservedBytes), where)
}

export function keptAmount({ bytes, reservedBytes, measuredAt }: KeptHome): string {
  if (measuredAt === null) return m.keptNotYet
  if (bytes !== null) return size(bytes)
  return reservedBytes === null ? m.keptNotKnown : m.keptUpTo(size(reservedBytes))
}

/** Of one machine; null: it keeps nothing. */
export function keptThere(it: HomesThere | undefined): string | null {
  if (!it || it.homes === 0) return null
  const measured = it.bytes > 0 || (it.reservedBytes === 0 && it.unknown < it.homes)
  const amounts = [
    measured && size(it.bytes),
    it.reservedBytes > 0 && m.keptSetAside(size(it.reservedBytes)),
    it.unknown > 0 && m.keptOfUnknown(it.unknown),
  ]
  return m.keptThere(it.homes, amounts.filter(Boolean).join(', '))
}
