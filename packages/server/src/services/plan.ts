/** What has to be done so that a service becomes what is wanted of it. Pure: rows in, steps out; done twice it finds nothing left to do. */
import { backoff } from '@kalnet/io/clock'
import { isEnded, isGood, type Member } from './member.ts'

/** A part as the rules need it; the first one is the one whose replicas are counted. */
export interface PlannedPart {
  name: string
  needs: readonly string[]
  hasVolumes: boolean
  hasProbe: boolean
}
export interface PlannedRelease {
  number: number
  parts: readonly PlannedPart[]
  createdAt: Date
  /** Null while it has never had the traffic. */
  liveAt: Date | null
}
export interface Situation {
  desired: 'running' | 'stopped'
  replicas: number
  /** The one that has the traffic. */
  live: PlannedRelease
  /** The one that is on its way to it. */
  next: PlannedRelease | null
  members: readonly Member[]
  /** Somebody gives the next release a share of the visitors first: it takes over when they are done with that. */
  held: boolean
  /** What the last release has open may end by itself until then. */
  finishBy: Date | null
  now: Date
  random?: () => number
}
export type Step =
  | { do: 'create'; release: number; part: string; number: number }
  /** A new generation. `again`: it came to an end by itself. */
  | { do: 'start'; id: string; again: boolean }
  | { do: 'stop'; id: string }
  | { do: 'remove'; id: string }
  | { do: 'start-later'; id: string; at: Date; restarts: number }
  | { do: 'switch'; release: number }
  | { do: 'give-up'; release: number; reason: string }
export interface Plan {
  steps: Step[]
  /** When to look again even if nothing is heard. */
  wakeAt: Date | null
}

export const BACKOFF = { baseMs: 1_000, mostMs: 60_000, forgottenAfterMs: 600_000 }
/** How long a failing probe is borne before the instance is started afresh. */
export const UNHEALTHY_MS = 30_000
/** How long a machine may be away until what keeps no data is started elsewhere. */
export const AWAY_MS = 60_000
/** How long the instances of the last release live on at least: gateways hear of the next one, and say whether something is open. */
export const RETIRE_MS = 3_000
/** Whoever said that something is open there says so again sooner than this, as long as it is. */
export const BUSY_MS = 6_000
/** A release that is not healthy this long after its instances run has failed; building its image does not count. */
export const GATE_MS = 300_000
/** How soon it is seen that a release is held no longer. */
export const HELD_MS = 2_000
/** Placement failed: looked at again. */
export const PLACE_AGAIN_MS = 10_000

const later = (at: Date, ms: number) => new Date(at.getTime() + ms)

/** Which (part, number) a release has. */
export const placesOf = (release: PlannedRelease, replicas: number) =>
  release.parts.flatMap((part, index) =>
    Array.from({ length: index === 0 ? replicas : 1 }, (_, number) => ({ part, number })),
  )

export function planService(given: Situation): Plan {
  const { live, next, members, now, replicas } = given
  const steps: Step[] = []
  const wakes: Date[] = []
  const of = (release: number) => members.filter((it) => it.release === release)
  const due = (at: Date) => {
    if (at > now) wakes.push(at)
    return at <= now
  }

  const end = (it: Member) => {
    if (it.desired === 'running') steps.push({ do: 'stop', id: it.id })
  }
  const hasData = (release: PlannedRelease) => release.parts.some((part) => part.hasVolumes)
  const keepsData = hasData(live) || (next !== null && hasData(next))
  /** Taken away as soon as it has ended. What cannot be heard of goes with its row, unless it may still hold the data. */
  const retire = (it: Member) => {
    if (isEnded(it) || (!it.online && !keepsData)) steps.push({ do: 'remove', id: it.id })
    else end(it)
  }

  const fresh = (it: Member): number =>
    it.startedAt && now.getTime() - it.startedAt.getTime() > BACKOFF.forgottenAfterMs ? 0 : it.restarts

  function keepRunning(it: Member, part: PlannedPart) {
    const failing =
      it.observed?.state === 'running' && it.unhealthyAt !== null && due(later(it.unhealthyAt, UNHEALTHY_MS))
    if (isEnded(it) || failing) {
      if (!it.nextStartAt) {
        const restarts = fresh(it)
        const at = later(now, backoff(restarts, BACKOFF.baseMs, BACKOFF.mostMs, given.random))
        wakes.push(at)
        return steps.push({ do: 'start-later', id: it.id, at, restarts })
      }
      if (due(it.nextStartAt)) steps.push({ do: 'start', id: it.id, again: true })
      return
    }
    // Data stays where it is: a person decides what becomes of it.
    if (it.online || part.hasVolumes) return
    if (it.seenAt && due(later(it.seenAt, AWAY_MS))) {
      steps.push({ do: 'remove', id: it.id })
      steps.push({ do: 'create', release: it.release, part: it.part, number: it.number })
    }
  }

  /** `may`: nothing else of the service holds its data. */
  function bringUp(release: PlannedRelease, may: boolean) {
    const mine = of(release.number)
    const places = placesOf(release, replicas)
    const stands = (name: string) => {
      const part = release.parts.find((it) => it.name === name)
      const all = mine.filter((it) => it.part === name)
      return part !== undefined && all.length > 0 && all.every((it) => isGood(it, part.hasProbe))
    }
    for (const { part, number } of places) {
      const there = mine.find((it) => it.part === part.name && it.number === number)
      const open = may && part.needs.every(stands)
      if (!there) {
        if (open) steps.push({ do: 'create', release: release.number, part: part.name, number })
      } else if (there.desired === 'stopped') {
        if (open) steps.push({ do: 'start', id: there.id, again: false })
      } else keepRunning(there, part)
    }
    for (const it of mine)
      if (!places.some(({ part, number }) => part.name === it.part && number === it.number)) retire(it)
  }

  const over = (release: PlannedRelease): string | null => {
    for (const it of of(release.number)) {
      const said = it.observed?.reason ?? it.observed?.health?.detail ?? ''
      const tail = it.observed?.logTail.findLast((line) => line.trim() !== '')
      if (isEnded(it) && it.desired === 'running')
        return `${it.part} did not start: ${said || 'its program ended'}${tail ? ` (${tail.trim()})` : ''}`
      if (it.observed?.state === 'running' && it.unhealthyAt) return `${it.part} is not healthy: ${said}`
      if (it.startedAt && it.observed?.health?.state !== 'healthy') {
        const part = release.parts.find((one) => one.name === it.part)
        if (part?.hasProbe && due(later(it.startedAt, GATE_MS))) return `${it.part} did not become healthy`
      }
    }
    return null
  }
  const isUp = (release: PlannedRelease) =>
    placesOf(release, replicas).every(({ part, number }) =>
      of(release.number).some(
        (it) => it.part === part.name && it.number === number && isGood(it, part.hasProbe),
      ),
    )

  const current = new Set([live.number, ...(next ? [next.number] : [])])
  const past = members.filter((it) => !current.has(it.release))

  if (given.desired === 'stopped') {
    for (const it of past) retire(it)
    for (const it of members) if (current.has(it.release)) end(it)
    return finish()
  }

  const first = next !== null && next.number === live.number
  if (next && !first) {
    const reason = over(next)
    if (reason) {
      steps.push({ do: 'give-up', release: next.number, reason: reason.slice(0, 400) })
      return finish()
    }
    if (isUp(next) && !(given.held && !keepsData)) {
      steps.push({ do: 'switch', release: next.number })
      return finish()
    }
    if (given.held) wakes.push(later(now, HELD_MS))
    const lives = of(live.number).some((it) => it.desired === 'running' && !isEnded(it))
    // Two releases on one folder would spoil it; and beside what does not run, nothing needs to stay.
    const alone = keepsData || !lives
    if (alone) {
      for (const it of of(live.number)) end(it)
      bringUp(next, [...of(live.number), ...past].every(isEnded))
    } else {
      bringUp(live, true)
      bringUp(next, true)
    }
    for (const it of past) retire(it)
    return finish()
  }

  if (next && first && isUp(next)) steps.push({ do: 'switch', release: next.number })
  const held = hasData(live) && past.some((it) => !isEnded(it))
  bringUp(live, !held)
  const settled = !live.liveAt || due(later(live.liveAt, RETIRE_MS))
  const mayFinish = past.length > 0 && given.finishBy !== null && !due(given.finishBy)
  const isBusy = ({ busyAt }: Member) => mayFinish && busyAt !== null && !due(later(busyAt, BUSY_MS))
  for (const it of past) if (it.release > live.number || isEnded(it) || (settled && !isBusy(it))) retire(it)
  return finish()

  function finish(): Plan {
    const wakeAt = wakes.reduce<Date | null>((soonest, at) => (soonest && soonest < at ? soonest : at), null)
    return { steps, wakeAt }
  }
}
