/** Which addresses are open to a person, by the same rules by which a request is let through; asked for whole lists of services. */
import type { Actor } from '@kalnet/contracts/permission'
import type { Store } from '../core/store.ts'
import { ruleFor } from './asked-address.ts'
import { statements as forwards } from './forward.store.ts'
import { admits } from './people.ts'
import { statements } from './store.ts'

/** By address: open to who asks, or not. Those that no rule knows are not in it; nor is any for who is no person. */
export type Openness = (actor: Actor, urls: readonly string[]) => Promise<ReadonlyMap<string, boolean>>

export const createOpenness =
  ({ store }: { store: Store }): Openness =>
  async ({ kind, userId }, urls) => {
    const open = new Map<string, boolean>()
    if (kind !== 'user' || urls.length === 0) return open
    const hosts = [...new Set(urls.map((url) => new URL(url).hostname))]
    const { person, rules } = await store.system.read(async (tx) => ({
      person: (await statements.findPerson({ id: userId }).execute(tx)).rows[0],
      rules: (await forwards.rulesOfHosts({ hosts }).execute(tx)).rows,
    }))
    for (const url of urls) {
      const { hostname, pathname } = new URL(url)
      const rule = ruleFor(
        rules.filter((it) => it.host === hostname),
        pathname,
      )
      if (!rule || rule === 'unclear') continue
      open.set(url, rule.who === 'public' || (person !== undefined && admits(rule, person)))
    }
    return open
  }
