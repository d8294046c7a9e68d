/** What the screens of providers ask for, and how a change ends. */
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { queryClient } from '../queries.ts'

export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: ({ signal }) => call(ROUTES.providers.list, { query: { limit: 200 }, signal }),
})
export const linkedQuery = queryOptions({
  queryKey: ['linked-accounts'],
  queryFn: ({ signal }) => call(ROUTES.linkedAccounts.list, { signal }),
})
export const providersChanged = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: ['providers'] }),
    queryClient.invalidateQueries({ queryKey: ['provider-buttons'] }),
    queryClient.invalidateQueries({ queryKey: ['linked-accounts'] }),
  ])
