/** Rewrites everything in the repository that is generated from code. */
import "../packages/control-interface/dist/generate.js";
import "../packages/conformance/dist/generate.js";
