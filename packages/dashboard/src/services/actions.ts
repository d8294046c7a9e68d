/** What can be done to a service, each with its visible end. */
import type { Service } from '@kalnet/contracts/service'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { toast } from '../ui/toast.ts'

/** Our own answer reaches the screen at once; the event that follows says the same. */
export function know(service: Service): Service {
  // What opens to this person is said when somebody asks, not by what is done.
  queryClient.setQueryData(['service', service.id], (it: Service | undefined) => ({
    ...service,
    mayOpen: service.mayOpen ?? it?.mayOpen,
  }))
  applyEvent(queryClient, 'service.changed', service)
  return service
}

const startOne = (id: string) => call(ROUTES.services.start, { params: { id } }).then(know)

export function useStart() {
  return useMutation({
    mutationFn: ({ id }: Service) => startOne(id),
    onSuccess: ({ title }) => toast({ tone: 'good', text: m.serviceStarting(title) }),
    onError: tellProblem,
  })
}
/** Nothing is lost by it, so nothing is asked: it can be started again from the notice. */
export function useStop() {
  return useMutation({
    mutationFn: ({ id }: Service) => call(ROUTES.services.stop, { params: { id } }).then(know),
    onSuccess: ({ id, title }) =>
      toast({
        tone: 'good',
        text: m.serviceStopping(title),
        action: { label: m.serviceStartAgain, onPress: () => void startOne(id).catch(tellProblem) },
      }),
    onError: tellProblem,
  })
}
export function useRestart() {
  return useMutation({
    mutationFn: ({ id }: Service) => call(ROUTES.services.restart, { params: { id } }).then(know),
    onSuccess: ({ title }) => toast({ tone: 'good', text: m.serviceRestarting(title) }),
    onError: tellProblem,
  })
}
/** What is still open at the release before the live one ends now. */
export function useFinish() {
  return useMutation({
    mutationFn: ({ id }: Service) => call(ROUTES.services.finish, { params: { id } }).then(know),
    onSuccess: ({ title }) => toast({ tone: 'good', text: m.serviceFinished(title) }),
    onError: tellProblem,
  })
}
/** To the newest version of its template, or back to how an older release was. */
export function useUpdate() {
  return useMutation({
    mutationFn: ({ service, release }: { service: Service; release?: number }) =>
      call(ROUTES.services.update, { params: { id: service.id }, body: { release } }).then(know),
    onSuccess: ({ title }, { release }) =>
      toast({
        tone: 'good',
        text: release === undefined ? m.serviceUpdateBegun(title) : m.releaseBackBegun(release),
      }),
    onError: tellProblem,
  })
}
