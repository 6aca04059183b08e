# shellcheck shell=bash
# The files of the examples.
printf 'id,name\n1,CORE_DV_HLS\n' >patterns.csv
printf 'id,pattern,name\n1,CORE_DV_HLS,to test\n' >deployments.csv
gzip --keep deployments.csv
