/** Every page by its address, each loaded when it is gone to (and as soon as the address is known). */
import { type Load, later, patient, renewed } from './ui/later.tsx'

/** Alone on the screen; what cannot be loaded is said there (app.tsx). */
const page = (load: Load<object>) => ({ load: patient(load), Page: renewed(load) })
/** In the frame, which stays where a page cannot be loaded. */
const inside = (load: Load<object>) => ({ load: patient(load), Page: later(load) })

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
  { path: '/', ...inside(() => import('./home/home.tsx')) },
  { path: '/launch', ...inside(() => import('./catalog/launch.tsx')) },
  { path: '/sessions/:id', ...inside(() => import('./sessions/page.tsx')) },
  { path: '/services', ...inside(() => import('./services/services.tsx')) },
  { path: '/services/:id', ...inside(() => import('./services/page.tsx')) },
  { path: '/services/:id/:part', ...inside(() => import('./services/page.tsx')) },
  { path: '/activity', ...inside(() => import('./activity/activity.tsx')) },
  { path: '/settings/people', ...inside(() => import('./people/people.tsx')) },
  { path: '/settings/people/:id', ...inside(() => import('./people/person.tsx')) },
  { path: '/settings/groups', ...inside(() => import('./people/groups.tsx')) },
  { path: '/settings/sign-in-rules', ...inside(() => import('./settings/sign-in-rules.tsx')) },
  { path: '/settings/controllers', ...inside(() => import('./settings/controllers.tsx')) },
  { path: '/settings/controllers/:id', ...inside(() => import('./settings/cluster.tsx')) },
  { path: '/settings/network', ...inside(() => import('./settings/network.tsx')) },
  { path: '/settings/certificates', ...inside(() => import('./settings/certificates.tsx')) },
  { path: '/settings/keys', ...inside(() => import('./keys/keys.tsx')) },
  { path: '/settings/apps', ...inside(() => import('./settings/apps.tsx')) },
  { path: '/settings/providers', ...inside(() => import('./settings/providers.tsx')) },
  { path: '/settings', ...inside(() => import('./settings/me.tsx')) },
]

/** Before the house, each opened by a link. */
const DOORS: Record<string, { load: Load<object> }> = {
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
