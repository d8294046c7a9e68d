/** Whatever let somebody in answers the same: they are in, or one more proof is asked. */
import type { Entered } from '@kalnet/contracts/identity'
import { useState } from 'react'
import { queryClient } from '../queries.ts'

export type Waiting = Extract<Entered, { state: 'second-factor' }>

/** `onIn` is called once the person is in and known to the page. */
export function useEntering(begun: Waiting | null = null, onIn?: () => void) {
  const [waiting, setWaiting] = useState(begun)
  return {
    waiting,
    take(answer: Entered) {
      if (answer.state === 'second-factor') return setWaiting(answer)
      // What an earlier person saw at this device is not for the next one, not even for a moment.
      queryClient.removeQueries({
        predicate: ({ queryKey }) => queryKey[0] !== 'me' && queryKey[0] !== 'status',
      })
      queryClient.setQueryData(['me'], answer.me)
      onIn?.()
    },
    startOver: () => setWaiting(null),
  }
}
export type Entering = ReturnType<typeof useEntering>
