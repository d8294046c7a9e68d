/** What every platform does. One conformance suite (`conformance.ts`) runs against each, the fake one too. */
import type { Duplex } from 'node:stream'
import type { ClusterReport } from '@kalnet/contracts/cluster'
import type { Capacity, Fingerprint } from '@kalnet/contracts/controller'
import type { Address, InstanceSpec, PlatformName, Progress } from '@kalnet/contracts/instance'

/** Plain data, kept in the journal: enough to find the runtime again after a restart of ours. */
export interface Handle {
  platform: PlatformName
  instanceId: string
  generation: number
  /** The platform's own: a container id, a process id with its start time. */
  data: Record<string, string | number>
}

export type Observation =
  /** `doubt`: as far as is known, and why no more is known, in words. */
  | { state: 'running'; startedAt: string | null; doubt?: string }
  | { state: 'ended'; code: number | null; reason: string; endedAt: string | null }
  /** Nothing is there any more. */
  | { state: 'gone' }

export interface EnsureRequest {
  instanceId: string
  generation: number
  organisationId: string
  spec: InstanceSpec
  /** For `spec.identity`: files by name that lie in `/run/kalnet/identity` before its program starts. */
  identity?: Record<string, string>
}

/** A program that was run inside: null when a signal ended it. */
export interface Executed {
  code: number | null
  lastLine: string
}

/** Packets to and from one UDP port of an instance, as from one peer. */
export interface Datagrams {
  send(payload: Buffer): void
  onMessage(listener: (payload: Buffer) => void): void
  /** Also by the signal that it was dialled with. */
  close(): void
}

/** What an instance uses, over a short time before `at`: processors kept busy (1.5: one and a half), and memory. */
export interface Use {
  instanceId: string
  generation: number
  cpus: number
  memoryBytes: number
  at: string
}
/** `known: false` is not nothing: nobody measured, and why. */
export type Used = { known: true; instances: Use[] } | { known: false; why: string }

/** What a volume takes, what is set aside for it, and where it is; null: that cannot be known, or is not so. */
export interface MeasuredVolume {
  bytes: number | null
  reservedBytes: number | null
  place: string | null
}

export interface Platform {
  readonly name: PlatformName
  /** Its instances are made and run on other machines: how many at once is not ours to limit, and one that waits there holds nobody up. */
  readonly isElsewhere?: true
  /** Where it has more room than this machine: all there is and what is left, as it was told last; null: it is not known. */
  room?(): {
    cpus: number
    memoryBytes: number
    memoryFreeBytes: number
    most: NonNullable<Capacity['most']>
  } | null
  /** What these use at this moment; asked only when somebody wants to know. One that has just begun may be missing. */
  use?(handles: readonly Handle[], signal: AbortSignal): Promise<Used>
  /** Where it is a cluster, what is told of it: the same object while nothing changed; null: nothing is known yet. */
  cluster?(): ClusterReport | null
  /** Yields once at the start and whenever something about it changes. */
  fingerprint(signal: AbortSignal): AsyncIterable<Fingerprint>
  /** Same id and generation twice = same handle, one runtime. A runtime of a lower generation is removed first; a higher one present is an error. */
  ensure(request: EnsureRequest, signal: AbortSignal, progress: (it: Progress) => void): Promise<Handle>
  /** Throws `PlatformAway` or `InstanceLost` of away.ts where it can tell what that means; else silence counts as lost in the end. */
  observe(handle: Handle): Promise<Observation>
  /** Asks it to end, kills the whole tree after the grace. Idempotent. */
  stop(handle: Handle, graceMs: number): Promise<void>
  /** Takes away everything of it. Idempotent. */
  remove(handle: Handle): Promise<void>
  /** All we own, also what a crash left. */
  list(): Promise<Handle[]>
  /** Yields when an instance may have changed (it ended), as the platform notices it; observe tells the truth. */
  changes(signal: AbortSignal): AsyncIterable<{ instanceId: string; generation: number }>
  /** A connection to a declared port of a running instance. */
  dial(handle: Handle, portName: string, signal: AbortSignal): Promise<Duplex>
  /** The last lines its programs printed. */
  logs(handle: Handle, lines: number): Promise<string[]>
  /** Runs a program inside, as the instance's own user and within its limits, and kills it after the time. Null: on this machine it cannot. */
  exec?(handle: Handle, command: string[], signal: AbortSignal, timeoutMs: number): Promise<Executed | null>
  /** What the platform itself makes of its health (a HEALTHCHECK of its image); null: it says nothing. */
  healthOf?(handle: Handle): Promise<{ state: 'starting' | 'healthy' | 'unhealthy'; detail: string } | null>
  /** Shows files inside as `/run/kalnet/<folder>/<name>`, readable by the instance alone; the whole set changes at once. */
  place?(handle: Handle, folder: string, files: Record<string, string>): Promise<void>
  /** Where its ports answer on the machine itself, by their names; empty where nothing but `dial` leads to it. */
  addresses?(handle: Handle): Promise<Record<string, Address>>
  /** As dial, for a declared UDP port. */
  dialDatagrams?(handle: Handle, portName: string, signal: AbortSignal): Promise<Datagrams>
  /**
   * Listens on loopback addresses inside a running instance (`linkPlaces` of links.ts), by name. `take` gets each connection
   * that is made there, until the signal is aborted or the instance ends. Rejects where one of them is taken. `broken`: it listens
   * nowhere any more though nobody wished so.
   */
  listenInside?(
    handle: Handle,
    places: Record<string, Address>,
    take: (name: string, stream: Duplex) => void,
    signal: AbortSignal,
    broken?: (error: Error) => void,
  ): Promise<void>
  /** The only way to lose a volume. Throws while an instance has it; one that is not there is gone already. */
  removeVolume?(volumeId: string): Promise<void>
  /** Null: it is not there. */
  measureVolume?(volumeId: string, signal: AbortSignal): Promise<MeasuredVolume | null>
}
