/** Signed out on this device: nothing that this person saw stays for the next one: off the screen now, out of memory with the page. */
import { queryClient } from '../queries.ts'

export function leaveHere(): void {
  queryClient.setQueryData(['me'], null)
  location.assign('/')
}
