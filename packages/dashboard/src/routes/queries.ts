/** What the screens of addresses ask for, by name. */
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

const LIMIT = 200
const PAGES = 10

/** All of them, or those of one service. */
export const routesQuery = (service?: string) =>
  queryOptions({
    queryKey: ['routes', service ?? 'all'],
    queryFn: async ({ signal }) => {
      const items: GatewayRoute[] = []
      let after: string | undefined
      for (let page = 0; page < PAGES; page++) {
        const some = await call(ROUTES.gateway.list, { query: { limit: LIMIT, after, service }, signal })
        items.push(...some.items)
        if (!some.next) break
        after = some.next
      }
      return { items }
    },
  })
/** Counted by the gateway, without an event: asked for at the pace of whoever looks. */
export const figuresQuery = queryOptions({
  queryKey: ['routes', 'figures'],
  refetchInterval: 5_000,
  queryFn: async ({ signal }) => ({
    ...(await call(ROUTES.gateway.figures, { signal })),
    /** The counts go on and on; two of them and the time between make "a minute". */
    at: Date.now(),
  }),
})
