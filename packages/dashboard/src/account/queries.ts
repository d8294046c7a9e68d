/** What the account page asks for, and how a change is made: one visible end, and everything it touches asked anew. */
import { queryOptions, useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { toast } from '../ui/toast.ts'

export const factorsQuery = queryOptions({
  queryKey: ['factors'],
  queryFn: ({ signal }) => call(ROUTES.signIn.factors, { signal }),
})
export const devicesQuery = queryOptions({
  queryKey: ['devices'],
  queryFn: async ({ signal }) => (await call(ROUTES.signIn.devices, { signal })).items,
  // That a device was used is no event.
  refetchInterval: 30_000,
})

/** After a change of one's own door. */
export const askAnew = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: ['factors'] }),
    queryClient.invalidateQueries({ queryKey: ['devices'] }),
  ])

interface ChangeOptions<T, A> {
  said?: (answer: A, input: T) => string
  onDone?: (answer: A) => void
}
export function useChange<T = void, A = unknown>(
  work: (input: T) => Promise<A>,
  { said, onDone }: ChangeOptions<T, A> = {},
) {
  return useMutation({
    mutationFn: work,
    onSuccess: (answer, input) => {
      void askAnew()
      if (said) toast({ tone: 'good', text: said(answer, input) })
      onDone?.(answer)
    },
    onError: tellProblem,
  })
}
