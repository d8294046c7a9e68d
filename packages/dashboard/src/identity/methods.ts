/** Which ways in there are at this address, for whoever stands before the door. */
import { queryOptions } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'

export const methodsQuery = queryOptions({
  queryKey: ['sign-in', 'methods'],
  staleTime: 5 * 60_000,
  queryFn: ({ signal }) => call(ROUTES.signIn.methods, { signal }),
})
