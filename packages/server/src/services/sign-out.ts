/** Where a service that signs people in by us is told that somebody signed out: at a port of its own instances. */
import type { ServiceTemplate } from '@kalnet/contracts/template'
import type { Store, Tx } from '../core/store.ts'
import type { ServiceAddress } from './address.ts'
import { releasesOf, templateOf, type Whole } from './shape.ts'
import { statements } from './store.ts'

export interface SignOutDoor {
  serviceId: string
  port: string
  /** As its app is registered with it. */
  address: string
}

const portOf = (template: ServiceTemplate) => template.doors.find((door) => door.kind === 'http')?.port

/** Null: it is not told. */
export function signOutAddress(template: ServiceTemplate, url: string): string | null {
  const path = template.signIn?.openid.signOut
  return path !== undefined && portOf(template) ? new URL(path, url).href : null
}

/** Null: no service has this app, or none that is told. */
export const createSignOutDoor =
  (options: {
    store: Store
    load(tx: Tx, id: string): Promise<Whole | null>
    addressOf(name: string): ServiceAddress
  }) =>
  (appId: string): Promise<SignOutDoor | null> =>
    options.store.system.read(async (tx) => {
      const found = (await statements.ofApp({ appId }).execute(tx)).rows[0]
      const whole = found ? await options.load(tx, found.id) : null
      const template = whole && templateOf(releasesOf(whole).live)
      if (!whole || !template) return null
      const address = signOutAddress(template, options.addressOf(whole.row.name).url)
      const port = portOf(template)
      return address && port ? { serviceId: whole.row.id, port, address } : null
    })
