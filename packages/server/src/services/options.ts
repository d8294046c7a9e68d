/** What services are made of: what the composition hands in. */
import type { Actor } from '@kalnet/contracts/permission'
import type { Placing } from '@kalnet/contracts/placing'
import type { Service } from '@kalnet/contracts/service'
import type { ServiceTemplate } from '@kalnet/contracts/template'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Catalog } from '../catalog/catalog.ts'
import type { Controllers } from '../controllers/controllers.ts'
import type { Events } from '../core/events.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Instances } from '../instances/instances.ts'
import type { ServiceAddress } from './address.ts'

/** An app at our OpenID Connect door, made with the service. */
export interface OpenedApp {
  appId: string
  issuer: string
  client: string
  secret: string
}
/** What the lead's composition gives doors to: routes of the gateway. */
export interface DoorsFor {
  service: Pick<Service, 'id' | 'name' | 'title'> & { organisationId: string }
  /** With the doors that are to be made: all at first, then only what a newer template has more. */
  template: ServiceTemplate
  actor: Actor
}
/** Whole addresses at the service. */
export interface AppAddresses {
  /** Where people come back to. */
  callback: string
  /** Where it is told that somebody signed out. */
  signOut: string | null
}
export interface ServicesOptions {
  store: Store
  events: Events
  clock: Clock
  log: Log
  catalog: Catalog
  controllers: Controllers
  instances: Instances
  secrets: Secrets
  addressOf(name: string): ServiceAddress
  /** Where what a template says nothing about goes; default spread. */
  placing?: Placing
  /** How long what is open at the last release may go on after a switch (`services.finishMs`). */
  finishMs?: number
  /** Tell the controller; called after the commit. */
  push(controllerId: string, instanceId: string): void
  forget(controllerId: string, instanceId: string, generation: number): void
  /** What a volume held is deleted on its machine; called after the commit. */
  forgetVolume(controllerId: string, volumeId: string): void
  /** In the transaction of the install or update: makes the doors of `template`. */
  addDoors(tx: Tx, about: DoorsFor): Promise<void>
  /** In the transaction of the removal, before anything else goes. */
  removeDoors(tx: Tx, serviceId: string): Promise<void>
  openApp?(tx: Tx, about: DoorsFor & AppAddresses): Promise<OpenedApp>
  changeApp?(tx: Tx, about: Pick<AppAddresses, 'signOut'> & { appId: string }): Promise<void>
  closeApp?(tx: Tx, appId: string): Promise<void>
  /** Which addresses are open to who asks. */
  openTo?(actor: Actor, urls: readonly string[]): Promise<ReadonlyMap<string, boolean>>
  readLogs(controllerId: string, instanceId: string, lines: number, signal: AbortSignal): Promise<string[]>
}
