/** What the screens of keys ask for. */
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { queryClient } from '../queries.ts'

export const myKeysQuery = queryOptions({
  queryKey: ['keys', 'mine'],
  queryFn: ({ signal }) => call(ROUTES.keys.mine, { signal }),
})
export const programsQuery = queryOptions({
  queryKey: ['keys', 'programs'],
  queryFn: ({ signal }) => call(ROUTES.keys.accounts, { query: { limit: 200 }, signal }),
})
/** No event tells of keys: whoever changes one looks again. */
export const lookAgain = () => queryClient.invalidateQueries({ queryKey: ['keys'] })
