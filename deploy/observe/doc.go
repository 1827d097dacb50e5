// Package observe has tests only: that every alert of the chart fires when it should and does not when it should not, by Prometheus's own
// rule engine, and that dashboards and alerts use no metric that the services do not show. It is a module of its own, outside of the
// workspace, because Prometheus's dependencies would move those of the services.
package observe
