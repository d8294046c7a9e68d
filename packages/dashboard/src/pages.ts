/** Every page by its address, each loaded when it is gone to (and as soon as the address is known). */
import { type ComponentType, lazy } from 'react'

type Load = () => Promise<{ default: ComponentType }>
const AGAIN_MS = 400
/** Asked once more: networks that come and go on a machine cut off what its browser is loading just then. */
const patient =
  (load: Load): Load =>
  () =>
    load().catch(async () => {
      await new Promise((done) => setTimeout(done, AGAIN_MS))
      return load()
    })
const page = (once: Load) => {
  const load = patient(once)
  return { load, Page: lazy(load) }
}

export const claimPage = page(() => import('./identity/claim.tsx'))
export const joinPage = page(() => import('./people/join.tsx'))
export const resetPage = page(() => import('./identity/reset.tsx'))
/** How a device is told to trust this house; also for whoever is not signed in yet. */
export const trustPage = page(() => import('./certificates/trust.tsx'))
export const unprovedPage = page(() => import('./identity/unproved.tsx'))
export const signInPage = page(() => import('./identity/sign-in.tsx'))
/** An app asks, an app signs out, on the way to a guarded address: each alone on the screen. */
export const consentPage = page(() => import('./apps/consent.tsx'))
export const appProblemPage = page(() => import('./apps/problem.tsx'))
export const leavePage = page(() => import('./apps/leave.tsx'))
export const enterPage = page(() => import('./apps/enter.tsx'))
export const viewerPage = page(() => import('./viewer/viewer.tsx'))

/** Inside the shell. The first that matches is shown. */
export const shellPages = [
  { path: '/', ...page(() => import('./home/home.tsx')) },
  { path: '/launch', ...page(() => import('./catalog/launch.tsx')) },
  { path: '/sessions/:id', ...page(() => import('./sessions/page.tsx')) },
  { path: '/services', ...page(() => import('./services/services.tsx')) },
  { path: '/services/:id', ...page(() => import('./services/page.tsx')) },
  { path: '/services/:id/:part', ...page(() => import('./services/page.tsx')) },
  { path: '/activity', ...page(() => import('./activity/activity.tsx')) },
  { path: '/settings/people', ...page(() => import('./people/people.tsx')) },
  { path: '/settings/people/:id', ...page(() => import('./people/person.tsx')) },
  { path: '/settings/groups', ...page(() => import('./people/groups.tsx')) },
  { path: '/settings/sign-in-rules', ...page(() => import('./settings/sign-in-rules.tsx')) },
  { path: '/settings/controllers', ...page(() => import('./settings/controllers.tsx')) },
  { path: '/settings/controllers/:id', ...page(() => import('./settings/cluster.tsx')) },
  { path: '/settings/network', ...page(() => import('./settings/network.tsx')) },
  { path: '/settings/certificates', ...page(() => import('./settings/certificates.tsx')) },
  { path: '/settings/keys', ...page(() => import('./keys/keys.tsx')) },
  { path: '/settings/apps', ...page(() => import('./settings/apps.tsx')) },
  { path: '/settings/providers', ...page(() => import('./settings/providers.tsx')) },
  { path: '/settings', ...page(() => import('./settings/me.tsx')) },
]

/** Before the house, each opened by a link. */
const DOORS: Record<string, { load: Load }> = {
  '/claim': claimPage,
  '/join': joinPage,
  '/reset': resetPage,
  '/trust': trustPage,
}

/** Begins to load what an address shows, without waiting for who is signed in. */
export function prepare(path: string): void {
  const load = path.startsWith('/s/')
    ? viewerPage.load
    : (
        DOORS[path] ??
        shellPages.find((it) => it.path === path) ??
        shellPages.find((it) => it.path.split('/')[1] === path.split('/')[1])
      )?.load
  // A chunk that cannot be loaded now is asked for again, and its failure shown, when the page is rendered.
  load?.().catch(() => undefined)
}
