/** Loads the notices with the first one that has something to say. */
import { useEffect, useState } from 'react'
import { later } from '../ui/later.tsx'
import { onToastWanted } from '../ui/toast.ts'

const Toasts = later(() => import('../ui/toasts.tsx'))

export function ToastPlace() {
  const [wanted, setWanted] = useState(false)
  useEffect(() => onToastWanted(() => setWanted(true)), [])
  if (!wanted) return null
  return <Toasts />
}
