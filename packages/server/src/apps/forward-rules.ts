/** Who may pass to an address of our own gateway: kept with the route it belongs to, in that route's transaction. */
import type { Allowed } from '@kalnet/contracts/app'
import { fail } from '@kalnet/contracts/errors'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { statements } from './forward.store.ts'
import { assertGroups } from './registry.ts'

export interface GatewayRule {
  gatewayRouteId: string
  organisationId: string
  /** What people call what is there. */
  name: string
  /** Without a port. */
  host: string
  pathPrefix: string
  who: 'public' | 'people'
  allowed: Allowed
  appPasswords: boolean
}

/** Makes or changes the rule of this address; the same twice changes nothing. It goes when its route goes. Throws forward-route.taken. */
export async function putGatewayRule(tx: Tx, clock: Clock, rule: GatewayRule): Promise<void> {
  const { roles, groups } = rule.allowed
  await assertGroups(tx, rule.organisationId, groups)
  const { rows } = await statements
    .putGatewayRule({ ...rule, id: newId(), roles, groups, at: stamp(clock) })
    .execute(tx)
    .catch((error: unknown) => {
      throw isDuplicate(error, 'forward_routes_once') ? taken(rule) : error
    })
  if (rows.length === 0) throw taken(rule)
}

const taken = ({ host, pathPrefix }: GatewayRule) =>
  fail('forward-route.taken', { host, pathPrefix: pathPrefix === '/' ? '' : pathPrefix })
