/** Loads the notices with the first one that has something to say. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { onToastWanted } from '../ui/toast.ts'

const Toasts = lazy(() => import('../ui/toasts.tsx'))

export function ToastPlace() {
  const [wanted, setWanted] = useState(false)
  useEffect(() => onToastWanted(() => setWanted(true)), [])
  if (!wanted) return null
  return (
    <Suspense>
      <Toasts />
    </Suspense>
  )
}
