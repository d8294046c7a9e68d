/** Who is here decides what is shown: claim, sign in, a full-screen page, or the shell with its pages. */
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { onServer } from './api.ts'
import { followLive } from './live.ts'
import {
  appProblemPage,
  claimPage,
  consentPage,
  enterPage,
  joinPage,
  leavePage,
  prepare,
  resetPage,
  signInPage,
  trustPage,
  unprovedPage,
  viewerPage,
} from './pages.ts'
import { meQuery, queryClient } from './queries.ts'
import { Shell } from './shell/shell.tsx'
import { Splash } from './shell/splash.tsx'
import { StepUpPlace } from './shell/step-up-place.tsx'
import { ToastPlace } from './shell/toast-place.tsx'
import { Catch } from './ui/catch.tsx'
import { ErrorBox } from './ui/parts.tsx'

const SHOWS_WIDGETS = import.meta.env.DEV || import.meta.env.MODE === 'gallery'
const Gallery = SHOWS_WIDGETS ? lazy(() => import('./gallery/gallery.tsx')) : null

prepare(location.pathname)

function SignedIn() {
  useEffect(() => {
    const life = new AbortController()
    followLive(life.signal)
    // Rare, so it is loaded only then.
    if (location.search.includes('problem='))
      void import('./identity/arrived-problem.ts').then((it) => it.tellArrivedProblem())
    onServer('signed-out', () => queryClient.setQueryData(['me'], null), life.signal)
    return () => life.abort()
  }, [])
  return (
    <Switch>
      <Route path="/consent/:uid">{({ uid }) => <consentPage.Page key={uid} />}</Route>
      <Route path="/leave">
        <leavePage.Page />
      </Route>
      <Route path="/enter">
        <enterPage.Page />
      </Route>
      <Route path="/s/:id">{({ id }) => <viewerPage.Page key={id} />}</Route>
      <Route>
        <Shell />
      </Route>
    </Switch>
  )
}

function Gate() {
  const { data: me, error, refetch } = useQuery({ ...meQuery, retry: true, retryDelay: 2_000 })
  useEffect(() => {
    const life = new AbortController()
    // The household asks for a second way since a moment ago.
    onServer('unproved', () => void queryClient.invalidateQueries({ queryKey: ['me'] }), life.signal)
    return () => life.abort()
  }, [])
  if (me?.unproved) return <unprovedPage.Page />
  if (me) return <SignedIn key={me.id} />
  if (me === null) return <signInPage.Page />
  return <Splash>{error && <ErrorBox problem={error} retry={() => void refetch()} />}</Splash>
}

const showBroken = (problem: unknown, retry: () => void) => (
  <Splash>
    <ErrorBox problem={problem} retry={retry} />
  </Splash>
)

export function App() {
  const [path] = useLocation()
  return (
    <>
      <Catch at={path} show={showBroken}>
        <Suspense fallback={<Splash />}>
          <Switch>
            {Gallery && (
              <Route path="/_ui">
                <Gallery />
              </Route>
            )}
            <Route path="/consent/problem">
              <appProblemPage.Page />
            </Route>
            <Route path="/join">
              <joinPage.Page />
            </Route>
            <Route path="/reset">
              <resetPage.Page />
            </Route>
            <Route path="/trust">
              <trustPage.Page />
            </Route>
            <Route path="/claim">
              <claimPage.Page />
            </Route>
            <Route>
              <Gate />
            </Route>
          </Switch>
        </Suspense>
      </Catch>
      {/* Outside of what changes with the address: a notice, and its "Undo", outlives going elsewhere. */}
      <ToastPlace />
      <StepUpPlace />
    </>
  )
}
